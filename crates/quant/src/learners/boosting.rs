//! Gradient boosted trees, fitted by the library forust: values or probabilities from columns of features.
//!
//! The fit takes exponentials from the platform, so its last digits may differ between operating systems: a model belongs into
//! the journal, saved. What a saved model says is sums of its leaves, the same everywhere.

use super::{LearnerError, above_zero, length, logistic, within};
use forust_ml::gradientbooster::{ContributionsMethod, ImportanceMethod};
use forust_ml::objective::ObjectiveType;
use forust_ml::sampler::SampleMethod;
use forust_ml::{GradientBooster, Matrix};
use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};

/// What the trees predict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BoostingTarget {
    /// A value, by least squares.
    Value,
    /// The probability of an outcome that is 0 or 1, by logistic loss.
    Probability,
}

/// How trees are grown.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BoostingParameters {
    /// What they predict.
    pub target: BoostingTarget,
    /// Trees, 1 to 10,000.
    pub trees: usize,
    /// What each tree counts for, above 0, at most 1.
    pub rate: f64,
    /// Splits from the root to a leaf at most, 1 to 16.
    pub depth: usize,
    /// Penalty on the squares of leaf weights, 0 or more.
    pub penalty: f64,
    /// Least sum of second derivatives in a leaf: observations, for values. 0 or more.
    pub least_weight: f64,
    /// Share of the observations that a tree is grown from, above 0, at most 1.
    pub rows: f64,
    /// Share of the features that a tree may split on, above 0, at most 1.
    pub columns: f64,
    /// Bins that a feature is cut into, 2 to 65,535; with as many as distinct values every split is considered.
    pub bins: u16,
    /// Seed of the choice of rows and columns.
    pub seed: u64,
}

impl Default for BoostingParameters {
    /// A hundred shallow trees for a value: the usual start.
    fn default() -> Self {
        BoostingParameters {
            target: BoostingTarget::Value,
            trees: 100,
            rate: 0.1,
            depth: 3,
            penalty: 1.0,
            least_weight: 1.0,
            rows: 1.0,
            columns: 1.0,
            bins: 256,
            seed: 1,
        }
    }
}

impl BoostingParameters {
    fn check(&self) -> Result<(), LearnerError> {
        let (trees, depth) = (self.trees as f64, self.depth as f64);
        within("number of trees", trees, "1 to 10,000", (1..=10_000).contains(&self.trees))?;
        within("rate", self.rate, "above 0 and at most 1", self.rate > 0.0 && self.rate <= 1.0)?;
        within("depth", depth, "1 to 16", (1..=16).contains(&self.depth))?;
        within("penalty", self.penalty, "finite and 0 or more", self.penalty >= 0.0)?;
        within("least weight of a leaf", self.least_weight, "finite and 0 or more", self.least_weight >= 0.0)?;
        within("share of the rows", self.rows, "above 0 and at most 1", self.rows > 0.0 && self.rows <= 1.0)?;
        let columns = self.columns;
        within("share of the columns", columns, "above 0 and at most 1", columns > 0.0 && columns <= 1.0)?;
        within("number of bins", self.bins.into(), "2 or more", self.bins >= 2).map(|_| ())
    }
}

/// Gradient boosted regression trees.
///
/// Sources: Friedman, Annals of Statistics 29 (2001) 1189; Chen and Guestrin, KDD (2016) 785: second-order splits, the penalty and
/// the least weight of a leaf. A feature that is NaN is missing and goes to the side of each split on which it fits better.
pub struct BoostedTrees {
    model: GradientBooster,
    target: BoostingTarget,
    n_features: usize,
}

impl std::fmt::Debug for BoostedTrees {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (target, trees) = (self.target, self.model.trees.len());
        f.debug_struct("BoostedTrees").field("target", &target).field("trees", &trees).finish_non_exhaustive()
    }
}

impl BoostedTrees {
    /// Fits all trees, on one thread. `features` are columns, one feature after the other; NaN is missing. `weights` are those of
    /// the observations, 1 each if empty. The first guess is the mean, or the log odds of the outcomes with one more of each kind.
    ///
    /// - Shape: as many rows in each column as targets; one or more.
    ///
    /// # Errors
    /// `OutOfRange` (a parameter, an infinite feature, a target that is not finite or, for probabilities, not 0 or 1, a weight
    /// of 0 or below), `Length`, `Empty`, `NotConverged`.
    pub fn fit(
        parameters: &BoostingParameters,
        features: &[f64],
        targets: &[f64],
        weights: &[f64],
    ) -> Result<Self, LearnerError> {
        parameters.check()?;
        let rows = targets.len();
        if rows == 0 || features.is_empty() {
            return Err(LearnerError::Empty { name: if rows == 0 { "observations" } else { "features" } });
        }
        let n_features = features.len() / rows;
        length("features", features.len(), n_features.max(1) * rows)?;
        let of_one = vec![1.0; rows];
        let weights = if weights.is_empty() { of_one.as_slice() } else { weights };
        length("weights", weights.len(), rows)?;
        weights.iter().try_for_each(|w| above_zero("weight", *w).map(|_| ()))?;
        known(features)?;
        let is_probability = parameters.target == BoostingTarget::Probability;
        for y in targets {
            let (good, range) = if is_probability { (*y == 0.0 || *y == 1.0, "0 or 1") } else { (true, "finite") };
            within("target", *y, range, good)?;
        }
        let sum = |of: &dyn Fn(f64) -> f64| targets.iter().zip(weights).fold(0.0, |s, (y, w)| s + w * of(*y));
        let first = if is_probability {
            libm::log((sum(&|y| y) + 1.0) / (sum(&|y| 1.0 - y) + 1.0))
        } else {
            sum(&|y| y) / sum(&|_| 1.0)
        };
        let sample = if parameters.rows < 1.0 { SampleMethod::Random } else { SampleMethod::None };
        let objective = if is_probability { ObjectiveType::LogLoss } else { ObjectiveType::SquaredLoss };
        let mut model = GradientBooster::default()
            .set_objective_type(objective)
            .set_iterations(parameters.trees)
            .set_learning_rate(parameters.rate as f32)
            .set_max_depth(parameters.depth)
            .set_l2(parameters.penalty as f32)
            .set_min_leaf_weight(parameters.least_weight as f32)
            .set_nbins(parameters.bins)
            .set_subsample(parameters.rows as f32)
            .set_colsample_bytree(parameters.columns)
            .set_sample_method(sample)
            .set_seed(parameters.seed)
            .set_initialize_base_score(false)
            .set_base_score(first)
            .set_parallel(false);
        let matrix = Matrix::new(features, rows, n_features);
        model.fit(&matrix, targets, weights, None).map_err(|_| LearnerError::NotConverged)?;
        Ok(BoostedTrees { model, target: parameters.target, n_features })
    }

    /// Features that it was fitted on.
    #[must_use]
    pub fn n_features(&self) -> usize {
        self.n_features
    }

    /// Values, or probabilities, of rows of features given as columns. Allocates a column.
    ///
    /// # Errors
    /// `OutOfRange` for an infinite feature, `Length` if there are not as many columns as it was fitted on.
    pub fn predict(&self, features: &[f64]) -> Result<Vec<f64>, LearnerError> {
        let rows = self.rows(features)?;
        let mut out = self.model.predict(&Matrix::new(features, rows, self.n_features), false);
        if self.target == BoostingTarget::Probability {
            out.iter_mut().for_each(|z| *z = logistic(*z));
        }
        Ok(out)
    }

    /// What each feature moved each prediction by: Shapley values (Lundberg and others, Nature Machine Intelligence 2 (2020) 56),
    /// row after row, and after those of a row what it begins from. They sum to the value, or to the logit of the probability, to single precision.
    ///
    /// # Errors
    /// As [`BoostedTrees::predict`].
    pub fn contributions(&self, features: &[f64]) -> Result<Vec<f64>, LearnerError> {
        let rows = self.rows(features)?;
        let matrix = Matrix::new(features, rows, self.n_features);
        Ok(self.model.predict_contributions(&matrix, ContributionsMethod::Shapley, false))
    }

    /// The share of each feature in the gains of all splits, 0 to 1; all 0 if nothing was split.
    #[must_use]
    pub fn importance(&self) -> Vec<f64> {
        let gains = self.model.calculate_feature_importance(ImportanceMethod::TotalGain, false);
        let of = |k: usize| gains.get(&k).map_or(0.0, |g| f64::from(*g));
        let total = (0..self.n_features).fold(0.0, |sum, k| sum + of(k));
        (0..self.n_features).map(|k| if total > 0.0 { of(k) / total } else { 0.0 }).collect()
    }

    fn rows(&self, features: &[f64]) -> Result<usize, LearnerError> {
        let rows = features.len() / self.n_features;
        length("features", features.len(), rows * self.n_features)?;
        known(features)?;
        Ok(rows)
    }

    /// Writes the model: a line of JSON, as the library has it, with its shape.
    pub fn save(&self, to: &mut Encoder) {
        to.bool(self.target == BoostingTarget::Probability);
        to.len(self.n_features);
        // A model of finite numbers always has a text.
        to.str(&self.model.json_dump().unwrap_or_default());
    }

    /// Reads what `save` wrote.
    ///
    /// # Errors
    /// `DecodeError` if the bytes are damaged: no model, or a tree that leads out of itself or back.
    pub fn load(from: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let probability = from.bool("target")?;
        let n_features = from.len("features")?;
        let damaged = |what| DecodeError::Invalid { what, at: 0, found: 0 };
        let model = GradientBooster::from_json(from.str("trees")?).map_err(|_| damaged("trees"))?;
        let is_probability = matches!(model.objective_type, ObjectiveType::LogLoss);
        for tree in &model.trees {
            for (k, node) in tree.nodes.iter().enumerate().filter(|(_, node)| !node.is_leaf) {
                let next = [node.left_child, node.right_child, node.missing_node];
                if node.split_feature >= n_features || next.iter().any(|to| *to <= k || *to >= tree.nodes.len()) {
                    return Err(damaged("tree"));
                }
            }
        }
        let whole = model.trees.iter().all(|t| !t.nodes.is_empty());
        if n_features == 0 || probability != is_probability || !whole || !model.base_score.is_finite() {
            return Err(damaged("model"));
        }
        let target = if probability { BoostingTarget::Probability } else { BoostingTarget::Value };
        Ok(BoostedTrees { model, target, n_features })
    }
}

/// Features may be missing, not infinite.
fn known(features: &[f64]) -> Result<(), LearnerError> {
    match features.iter().find(|x| x.is_infinite()) {
        Some(x) => Err(LearnerError::OutOfRange { name: "feature", value: *x, range: "finite, or NaN for missing" }),
        None => Ok(()),
    }
}
