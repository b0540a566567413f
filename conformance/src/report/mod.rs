//! What people and programs are told about the outcomes. Reporters know nothing of how cases are run.

pub(crate) mod failure;
pub(crate) mod json;
pub(crate) mod progress;
pub(crate) mod table;
