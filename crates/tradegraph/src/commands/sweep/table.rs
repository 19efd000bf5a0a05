//! All members of a sweep as a file: CSV or Parquet.

use super::Sweep;
use crate::failure::{Failure, Kind};
use crate::home::write_whole;
use crate::sweeps::Outcome;
use parquet::basic::{LogicalType, Repetition, Type as Physical};
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type;
use std::path::Path;
use std::sync::Arc;

type Real = (&'static str, fn(&Outcome) -> Option<f64>);
type Whole = (&'static str, fn(&Outcome) -> u64);

const REALS: [Real; 5] = [
    ("sharpe", |o| o.sharpe),
    ("total_return", |o| o.total_return),
    ("cagr", |o| o.cagr),
    ("volatility", |o| o.volatility),
    ("max_drawdown", |o| o.max_drawdown),
];
const WHOLES: [Whole; 3] = [("orders", |o| o.orders), ("fills", |o| o.fills), ("refused", |o| o.refused)];

/// Refuses a file of another kind before anything is run.
pub fn check(path: &Path) -> Result<(), Failure> {
    match path.extension().and_then(|e| e.to_str()) {
        Some("csv" | "parquet") => Ok(()),
        _ => Err(Failure::new(Kind::Usage, format!("--to {}: the name must end in .csv or .parquet", path.display()))),
    }
}

/// Writes all members; fractions, amounts as counts, absent values empty.
pub fn write(path: &Path, sweep: &Sweep) -> Result<(), Failure> {
    let bytes = match path.extension().and_then(|e| e.to_str()) {
        Some("parquet") => {
            parquet(sweep).map_err(|e| Failure::new(Kind::Failed, format!("{}: {e}", path.display())))?
        }
        _ => csv(sweep).into_bytes(),
    };
    write_whole(path, &bytes)
}

fn csv(sweep: &Sweep) -> String {
    let quoted = |text: &str| {
        if text.contains([',', '"', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
    };
    let keys = sweep.members.axes.iter().map(|a| quoted(&a.key));
    let names = REALS.iter().map(|(n, _)| (*n).to_owned()).chain(WHOLES.iter().map(|(n, _)| (*n).to_owned()));
    let mut lines = vec![keys.chain(["fingerprint".to_owned()]).chain(names).collect::<Vec<_>>().join(",")];
    for (m, o) in sweep.members.list.iter().zip(&sweep.outcomes) {
        let values = m.values.iter().map(|v| quoted(v)).chain([m.fingerprint.clone()]);
        let reals = REALS.iter().map(|(_, of)| of(o).map_or(String::new(), |x| x.to_string()));
        let wholes = WHOLES.iter().map(|(_, of)| of(o).to_string());
        lines.push(values.chain(reals).chain(wholes).collect::<Vec<_>>().join(","));
    }
    lines.join("\n") + "\n"
}

fn parquet(sweep: &Sweep) -> Result<Vec<u8>, ParquetError> {
    let text = |name: &str| {
        Type::primitive_type_builder(name, Physical::BYTE_ARRAY)
            .with_repetition(Repetition::REQUIRED)
            .with_logical_type(Some(LogicalType::String))
            .build()
    };
    let mut fields = Vec::new();
    for axis in &sweep.members.axes {
        fields.push(Arc::new(text(&axis.key)?));
    }
    fields.push(Arc::new(text("fingerprint")?));
    for (name, _) in REALS {
        let real = Type::primitive_type_builder(name, Physical::DOUBLE).with_repetition(Repetition::OPTIONAL);
        fields.push(Arc::new(real.build()?));
    }
    for (name, _) in WHOLES {
        let whole = Type::primitive_type_builder(name, Physical::INT64).with_repetition(Repetition::REQUIRED);
        fields.push(Arc::new(whole.build()?));
    }
    let schema = Arc::new(Type::group_type_builder("sweep").with_fields(fields).build()?);
    let mut bytes = Vec::new();
    let mut writer = SerializedFileWriter::new(&mut bytes, schema, Arc::new(WriterProperties::builder().build()))?;
    let mut group = writer.next_row_group()?;
    let missing = || ParquetError::General("the schema has too few columns".to_owned());
    let texts = (0..sweep.members.axes.len())
        .map(|at| sweep.members.list.iter().map(|m| m.values.get(at).cloned().unwrap_or_default()).collect::<Vec<_>>());
    let prints = sweep.members.list.iter().map(|m| m.fingerprint.clone()).collect();
    for column in texts.chain([prints]) {
        let values: Vec<ByteArray> = column.iter().map(|t| ByteArray::from(t.as_str())).collect();
        let mut to = group.next_column()?.ok_or_else(missing)?;
        to.typed::<ByteArrayType>().write_batch(&values, None, None)?;
        to.close()?;
    }
    for (_, of) in REALS {
        let cells: Vec<Option<f64>> = sweep.outcomes.iter().map(of).collect();
        let values: Vec<f64> = cells.iter().flatten().copied().collect();
        let levels: Vec<i16> = cells.iter().map(|c| i16::from(c.is_some())).collect();
        let mut to = group.next_column()?.ok_or_else(missing)?;
        to.typed::<DoubleType>().write_batch(&values, Some(&levels), None)?;
        to.close()?;
    }
    for (_, of) in WHOLES {
        let values: Vec<i64> = sweep.outcomes.iter().map(|o| i64::try_from(of(o)).unwrap_or(i64::MAX)).collect();
        let mut to = group.next_column()?.ok_or_else(missing)?;
        to.typed::<Int64Type>().write_batch(&values, None, None)?;
        to.close()?;
    }
    group.close()?;
    writer.close()?;
    Ok(bytes)
}
