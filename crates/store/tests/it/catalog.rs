//! The catalog: what is put is got, and damage is found.

use proptest::prelude::*;
use tradegraph_columns::Status;
use tradegraph_domain::{BarPeriod, BarSpec, Basis, Nanos, Timestamp};
use tradegraph_market::quality::{Check, Marks};
use tradegraph_market::{Batch, BatchId, BatchParts};
use tradegraph_store::{BatchMeta, Catalog, CatalogError};

fn meta(width: usize) -> BatchMeta {
    BatchMeta {
        symbols: (0..width).map(|i| format!("S{i}")).collect(),
        calendar: "XNYS".to_owned(),
        source: "test".to_owned(),
    }
}

fn batches() -> impl Strategy<Value = Batch> {
    let shape = (1_usize..5, 1_usize..30, any::<bool>(), any::<bool>(), any::<bool>(), 0_usize..3);
    shape.prop_flat_map(|(width, rows, has_open, has_volume, session, basis)| {
        let cells = width * rows;
        let prices = |used: bool| proptest::collection::vec(any::<i64>(), if used { cells } else { 0 });
        let volumes =
            proptest::collection::vec(any::<u64>().prop_map(f64::from_bits), if has_volume { cells } else { 0 });
        let status = proptest::collection::vec((0_u8..7).prop_map(|b| Status::from_byte(b).unwrap()), cells);
        (prices(has_open), prices(has_open), prices(has_open), prices(true), volumes, status).prop_map(
            move |(open, high, low, close, volume, status)| {
                let stamp = |k: usize| Timestamp(k as i64 * 7_000_000_001 - 3);
                let period = if session { BarPeriod::Session } else { BarPeriod::Fixed(Nanos(7)) };
                Batch::new(BatchParts {
                    spec: BarSpec { period, basis: Basis::ALL[basis].0, has_open },
                    width,
                    starts: (0..rows).map(stamp).collect(),
                    ends: (1..=rows).map(stamp).collect(),
                    open,
                    high,
                    low,
                    close,
                    volume,
                    status,
                })
                .unwrap()
            },
        )
    })
}

fn marked() -> impl Strategy<Value = Batch> {
    batches().prop_flat_map(|batch| {
        let bits = prop_oneof![3 => Just(0), 1 => 0_u32..1 << Check::ALL.len()];
        let marks = proptest::collection::vec(bits.prop_map(Marks), batch.rows() * batch.width());
        (Just(batch), marks).prop_map(|(batch, marks)| batch.with_marks(marks).unwrap())
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn what_is_put_is_got(batch in prop_oneof![batches(), marked()]) {
        let home = tempfile::tempdir().unwrap();
        let catalog = Catalog::open(home.path()).unwrap();
        let meta = meta(batch.width());
        let id = catalog.put(&batch, &meta).unwrap();
        prop_assert_eq!(id, batch.id());
        let (got, got_meta) = catalog.get(id).unwrap();
        prop_assert_eq!(got.id(), id); // the hash covers every number, NaN by its bits
        prop_assert_eq!(got.parts().status.clone(), batch.parts().status.clone());
        prop_assert_eq!(got.all_marks(), batch.all_marks());
        prop_assert_eq!(&got_meta, &meta);
        let list = catalog.list().unwrap();
        let entry = list[0].as_ref().unwrap();
        prop_assert_eq!((entry.id, entry.rows, entry.spec), (id, batch.rows(), batch.spec()));
        prop_assert_eq!(entry.to, batch.interval(batch.rows() - 1).end);
    }
}

/// Closes of two instruments over several row groups.
fn long_batch() -> Batch {
    let rows = 200_000;
    let minute = Nanos::MINUTE.0;
    Batch::new(BatchParts {
        spec: BarSpec { period: BarPeriod::Fixed(Nanos::MINUTE), basis: Basis::Raw, has_open: false },
        width: 2,
        starts: (0..rows).map(|k| Timestamp(k * minute)).collect(),
        ends: (0..rows).map(|k| Timestamp((k + 1) * minute)).collect(),
        open: vec![],
        high: vec![],
        low: vec![],
        close: (0..2 * rows).map(|c| 100_000_000_000 + c * c % 977 * 10_000_000).collect(),
        volume: vec![],
        status: (0..2 * rows).map(|c| if c % 91 == 0 { Status::NoData } else { Status::Ok }).collect(),
    })
    .unwrap()
}

#[test]
fn several_row_groups_make_one_batch() {
    let home = tempfile::tempdir().unwrap();
    let catalog = Catalog::open(home.path()).unwrap();
    let batch = long_batch();
    catalog.put(&batch, &meta(2)).unwrap();
    assert_eq!(catalog.get(batch.id()).unwrap().0, batch);
    // The same again changes nothing; other names replace the names.
    let written = std::fs::metadata(catalog.path(batch.id())).unwrap().modified().unwrap();
    catalog.put(&batch, &meta(2)).unwrap();
    assert_eq!(std::fs::metadata(catalog.path(batch.id())).unwrap().modified().unwrap(), written);
    let renamed = BatchMeta { symbols: vec!["A".into(), "B".into()], ..meta(2) };
    catalog.put(&batch, &renamed).unwrap();
    assert_eq!(catalog.get(batch.id()).unwrap().1, renamed);
    assert!(matches!(catalog.put(&batch, &meta(3)), Err(CatalogError::Names { names: 3, width: 2 })));
    let files = std::fs::read_dir(home.path().join("catalog")).unwrap().count();
    assert_eq!(files, 1, "no temporary file is left");
}

#[test]
fn a_damaged_file_is_an_error_and_never_another_batch() {
    let home = tempfile::tempdir().unwrap();
    let catalog = Catalog::open(home.path()).unwrap();
    let rows = 40_usize;
    let mut parts = long_batch().parts().clone();
    for (column, cells) in [(&mut parts.starts, rows), (&mut parts.ends, rows)] {
        column.truncate(cells);
    }
    parts.close.truncate(2 * rows);
    parts.status.truncate(2 * rows);
    let batch = Batch::new(parts).unwrap();
    let id = catalog.put(&batch, &meta(2)).unwrap();
    let path = catalog.path(id);
    let good = std::fs::read(&path).unwrap();
    let mut found = 0;
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 1 << (at % 8);
        std::fs::write(&path, &bad).unwrap();
        match catalog.get(id) {
            // A bit that nobody reads (the column of symbols, a page's size hint) does no harm.
            Ok((got, names)) => assert!(got == batch && names == meta(2), "byte {at}"),
            Err(e) => {
                assert!(e.to_string().contains(path.to_str().unwrap()), "{e}");
                found += 1;
            }
        }
    }
    assert!(found * 2 > good.len(), "{found} of {}", good.len());
    for length in [0, 4, good.len() / 2, good.len() - 1] {
        std::fs::write(&path, &good[..length]).unwrap();
        assert!(matches!(catalog.get(id), Err(CatalogError::Damaged { .. })), "{length}");
        assert!(catalog.list().unwrap()[0].is_err());
    }
    // Another batch under this name.
    let other = catalog.put(&long_batch(), &meta(2)).unwrap();
    std::fs::copy(catalog.path(other), &path).unwrap();
    assert!(catalog.get(id).unwrap_err().to_string().contains("not what its name says"));
    // Importing again repairs it.
    catalog.put(&batch, &meta(2)).unwrap();
    assert_eq!(catalog.get(id).unwrap().0, batch);
    let none = BatchId([7; 32]);
    assert!(matches!(catalog.get(none), Err(CatalogError::NotFound { .. })));
}
