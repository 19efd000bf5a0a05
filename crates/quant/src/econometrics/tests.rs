//! Comparison with other libraries, properties and edges.

mod edges;
mod oracle;
mod page;
mod properties;
