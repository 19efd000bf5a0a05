//! Tables of corporate actions in the catalog, one file each: `catalog/actions/<content hash>.json`. A run binds the
//! hash, so it can be made again without the files that its actions came from.

use std::fs;
use std::io::Write;

use serde::{Deserialize, Serialize};
use tradegraph_domain::{ActionKind, CorporateAction, Date, InstrumentId, Price, Timestamp};
use tradegraph_market::{Actions, ActionsId};

use crate::disk::replace;
use crate::{Catalog, CatalogError};

/// One action in plain numbers.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    ts_ns: i64,
    ex: i32,
    instrument: u32,
    kind: RowKind,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
enum RowKind {
    Split { new: u32, old: u32 },
    Dividend { amount_nano: i64, pay: i32 },
    Rename { name: u32 },
    Delisting { price_nano: i64 },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    version: u32,
    names: Vec<String>,
    rows: Vec<Row>,
}

const VERSION: u32 = 1;

impl Catalog {
    fn actions_path(&self, id: ActionsId) -> std::path::PathBuf {
        let name: String = id.0.iter().map(|b| format!("{b:02x}")).collect();
        self.folder().join("actions").join(format!("{name}.json"))
    }

    /// Keeps a table; nothing happens if it is there.
    ///
    /// # Errors
    /// `CatalogError::Io` naming the file.
    pub fn put_actions(&self, actions: &Actions) -> Result<(), CatalogError> {
        let path = self.actions_path(actions.id());
        if self.get_actions(actions.id()).is_ok() {
            return Ok(());
        }
        let row = |a: &CorporateAction| Row {
            ts_ns: a.ts.0,
            ex: a.ex.0,
            instrument: a.instrument.0,
            kind: match a.kind {
                ActionKind::Split { new, old } => RowKind::Split { new, old },
                ActionKind::Dividend { amount, pay } => RowKind::Dividend { amount_nano: amount.nano(), pay: pay.0 },
                ActionKind::Rename { name } => RowKind::Rename { name },
                ActionKind::Delisting { price } => RowKind::Delisting { price_nano: price.nano() },
            },
        };
        let names = (0..).map_while(|n| actions.name(n)).map(str::to_owned).collect();
        let table = Table { version: VERSION, names, rows: actions.items().iter().map(row).collect() };
        let failed = |source| CatalogError::Io { doing: "written", path: path.clone(), source };
        let text = serde_json::to_vec(&table).map_err(|e| failed(e.into()))?;
        self.disk().make_folders(&self.folder().join("actions")).map_err(failed)?;
        replace(self.disk(), &path, failed, |file| file.write_all(&text).map_err(failed))
    }

    /// The table of a hash.
    ///
    /// # Errors
    /// `CatalogError::Io` or `Damaged` naming the file.
    pub fn get_actions(&self, id: ActionsId) -> Result<Actions, CatalogError> {
        let path = self.actions_path(id);
        let text = fs::read(&path).map_err(|source| CatalogError::Io { doing: "read", path: path.clone(), source })?;
        let damaged = |what| CatalogError::Damaged { path: path.clone(), what, source: None };
        let table: Table = serde_json::from_slice(&text).map_err(|_| damaged("it is no table of actions"))?;
        if table.version != VERSION {
            return Err(damaged("it was written by a newer version"));
        }
        let item = |r: Row| CorporateAction {
            ts: Timestamp(r.ts_ns),
            instrument: InstrumentId(r.instrument),
            ex: Date(r.ex),
            kind: match r.kind {
                RowKind::Split { new, old } => ActionKind::Split { new, old },
                RowKind::Dividend { amount_nano, pay } => {
                    ActionKind::Dividend { amount: Price::from_nano(amount_nano), pay: Date(pay) }
                }
                RowKind::Rename { name } => ActionKind::Rename { name },
                RowKind::Delisting { price_nano } => ActionKind::Delisting { price: Price::from_nano(price_nano) },
            },
        };
        let actions = Actions::new(table.rows.into_iter().map(item).collect(), table.names);
        actions.ok().filter(|a| a.id() == id).ok_or_else(|| damaged("its content is not what its name says"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_is_got_and_damage_is_found() {
        let home = tempfile::tempdir().unwrap();
        let catalog = Catalog::open(home.path()).unwrap();
        let at = |day: i32, kind| CorporateAction {
            ts: Date(day).midnight(),
            instrument: InstrumentId(day.cast_unsigned() % 3),
            ex: Date(day),
            kind,
        };
        let items = vec![
            at(3, ActionKind::Split { new: 2, old: 1 }),
            at(4, ActionKind::Dividend { amount: Price::from_nano(3_080_000_000), pay: Date(20) }),
            at(5, ActionKind::Rename { name: 0 }),
            at(6, ActionKind::Delisting { price: Price::from_nano(0) }),
        ];
        let actions = Actions::new(items, vec!["META".into()]).unwrap();
        catalog.put_actions(&actions).unwrap();
        catalog.put_actions(&actions).unwrap();
        assert_eq!(catalog.get_actions(actions.id()).unwrap(), actions);
        let path = catalog.actions_path(actions.id());
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text.replace("3080000000", "3090000000")).unwrap();
        let error = catalog.get_actions(actions.id()).unwrap_err().to_string();
        assert!(error.contains("is not what its name says"), "{error}");
        catalog.put_actions(&actions).unwrap();
        assert_eq!(catalog.get_actions(actions.id()).unwrap(), actions);
        let empty = Actions::new(vec![], vec![]).unwrap();
        assert!(matches!(catalog.get_actions(empty.id()), Err(CatalogError::Io { .. })));
    }
}
