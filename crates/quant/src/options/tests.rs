use super::*;

mod oracle;
