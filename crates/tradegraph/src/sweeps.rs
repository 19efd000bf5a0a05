//! Results of sweeps as they are kept in a home: one file a member, named by what was run, so that a killed sweep goes on and
//! every member counts as a trial.

use crate::failure::{Failure, Kind};
use crate::home::{Home, cannot, write_whole};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// What one member came to. Numbers as in `Curve`, fractions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// Fingerprint of its mandate, as hexadecimal digits.
    pub fingerprint: String,
    /// Hash of its last state, as hexadecimal digits.
    pub state_hash: String,
    /// Days of the account's curve.
    pub dates: Vec<String>,
    /// The account on those days.
    pub net: Vec<f64>,
    /// Annualised Sharpe ratio against zero.
    pub sharpe: Option<f64>,
    /// The same of equal weights without costs.
    pub benchmark_sharpe: Option<f64>,
    /// Growth in all.
    pub total_return: Option<f64>,
    /// Growth a year; absent for less than a year.
    pub cagr: Option<f64>,
    /// Volatility a year.
    pub volatility: Option<f64>,
    /// Deepest fall.
    pub max_drawdown: Option<f64>,
    /// Days of the curve in a year.
    pub days_per_year: Option<f64>,
    /// Orders sent.
    pub orders: u64,
    /// Fills.
    pub fills: u64,
    /// Orders refused.
    pub refused: u64,
}

/// The folder of sweeps over the same data.
#[derive(Clone, Debug)]
pub struct Folder {
    path: PathBuf,
    binary: String,
}

impl Folder {
    /// The folder for data of this hash, made if it is missing; `binary` is the build that makes the results.
    pub fn open(home: &Home, data: &[u8; 32], binary: &str) -> Result<Folder, Failure> {
        let name: String = blake3::Hash::from(*data).to_hex().chars().take(16).collect();
        let path = home.path().join("sweeps").join(name);
        std::fs::create_dir_all(&path).map_err(|e| cannot("made", &path, &e))?;
        let binary = blake3::hash(binary.as_bytes()).to_hex().chars().take(8).collect();
        Ok(Folder { path, binary })
    }

    fn file(&self, fingerprint: &str) -> PathBuf {
        self.path.join(format!("{fingerprint}-{}.json", self.binary))
    }

    /// A result of this build that was kept; a file that cannot be read is made again.
    pub fn kept(&self, fingerprint: &str) -> Option<Outcome> {
        let bytes = std::fs::read(self.file(fingerprint)).ok()?;
        serde_json::from_slice::<Outcome>(&bytes).ok().filter(|o| o.fingerprint == fingerprint)
    }

    /// Keeps a result.
    pub fn keep(&self, outcome: &Outcome) -> Result<(), Failure> {
        let bytes = serde_json::to_vec(outcome).map_err(|e| Failure::new(Kind::Failed, e.to_string()))?;
        write_whole(&self.file(&outcome.fingerprint), &bytes)
    }

    /// Notes what the data are, for the count of trials.
    pub fn note_data(&self, data: &Value) -> Result<(), Failure> {
        write_whole(&self.path.join("data.json"), data.to_string().as_bytes())
    }
}

/// Fingerprints of all members that were ever run in a home on data for which `overlaps` holds. Members of any build count:
/// they were looked at.
pub fn tried(home: &Path, overlaps: &dyn Fn(&Value) -> bool) -> Vec<[u8; 32]> {
    let list = |path: &Path| -> Vec<PathBuf> {
        std::fs::read_dir(path).into_iter().flatten().filter_map(|e| e.ok().map(|e| e.path())).collect()
    };
    let mut all = Vec::new();
    for folder in list(&home.join("sweeps")) {
        let data = std::fs::read(folder.join("data.json")).ok().and_then(|b| serde_json::from_slice(&b).ok());
        if !data.as_ref().is_some_and(overlaps) {
            continue;
        }
        for file in list(&folder) {
            let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let hash = name.split('-').next().and_then(|hex| blake3::Hash::from_hex(hex).ok());
            all.extend(hash.map(|h| *h.as_bytes()));
        }
    }
    all
}
