//! How providers are called: where a request goes, and how it says whose it is. What is said in it is [`crate::dialect`]'s.

pub(crate) mod address;
pub mod simulated;
