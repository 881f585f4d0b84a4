//! What clients speak: one file per dialect or endpoint.

pub(crate) mod admin;
pub(crate) mod generate;
pub(crate) mod models;
pub(crate) mod status;
pub(crate) mod stored;
