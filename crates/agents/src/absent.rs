//! The place of an agent that is not built or not enabled: it says "no data" and contributes nothing.

use crate::Agent;
use tradegraph_columns::Status;
use tradegraph_domain::{AgentId, ModelVersion, SignalColumn};
use tradegraph_market::{Bindings, FeatureSpec, View};

/// An agent without an opinion.
#[derive(Clone, Copy, Debug)]
pub struct Absent {
    id: AgentId,
}

impl Absent {
    /// The place of an agent.
    #[must_use]
    pub fn new(id: AgentId) -> Self {
        Absent { id }
    }
}

impl Agent for Absent {
    fn id(&self) -> AgentId {
        self.id
    }

    fn version(&self) -> ModelVersion {
        ModelVersion(0)
    }

    fn needs(&self) -> &[FeatureSpec] {
        &[]
    }

    fn factors(&self) -> &[&'static str] {
        &[]
    }

    fn bind(&mut self, _bindings: &Bindings) {}

    fn decide(&mut self, _view: &View<'_>, out: &mut SignalColumn<'_>) {
        out.clear(Status::NoData);
    }

    fn explain(&self, _factor: usize, _data: &[Option<f64>]) -> String {
        "no data".into()
    }
}
