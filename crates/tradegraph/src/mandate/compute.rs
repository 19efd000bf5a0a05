//! `[compute]`: how much work the strategies of one decision may do together, and what each bids.

use super::agents::AgentPart;
use super::fault::Fault;
use super::reader::Section;
use tradegraph_agents::AGENTS;
use tradegraph_engine::{AgentBid, ComputeBudget};

/// Work of an own agent's opinion about one instrument, in nanoseconds, if the mandate does not say it.
const OWN_NS: u64 = 20;

/// Reads the section. Every agent of the mandate bids.
pub(super) fn compute(section: Option<Section<'_>>, agents: &[AgentPart]) -> Result<Option<ComputeBudget>, Fault> {
    let Some(section) = section else { return Ok(None) };
    let known: Vec<&str> = std::iter::once("budget").chain(agents.iter().map(AgentPart::node)).collect();
    let section = section.knows(&known)?;
    let cycle_ns = section.need("budget")?.work()?;
    let bid = |part: &AgentPart| {
        let own = section.section(part.node())?.map(|s| s.knows(&["cost", "priority"])).transpose()?;
        let item = |key| own.as_ref().and_then(|s| s.get(key));
        let usual = AGENTS.iter().find(|s| s.node == part.node()).map_or(OWN_NS, |s| s.work_ns.into());
        let priority = item("priority").map_or(Ok(0), |item| item.integer(-100..=100))?;
        Ok(AgentBid {
            agent: part.config.id(),
            weight_nano: part.weight_nano,
            cost_ns: item("cost").map_or(Ok(usual), |item| item.work())?,
            priority: i32::try_from(priority).unwrap_or_default(),
        })
    };
    let bids = agents.iter().map(bid).collect::<Result<_, Fault>>()?;
    Ok(Some(ComputeBudget { cycle_ns, bids }))
}
