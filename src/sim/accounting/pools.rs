//! Two pools one after the other: one computes prompts, the other decodes.

use serde::Serialize;

/// One of two pools, by what it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PoolName {
    /// It computes prompts.
    Prefill,
    /// It computes answers, token by token.
    Decode,
}

impl PoolName {
    /// Both, in the order in which a request comes to them.
    pub const ALL: [PoolName; 2] = [PoolName::Prefill, PoolName::Decode];

    /// As results name it.
    pub fn shown(self) -> &'static str {
        match self {
            PoolName::Prefill => "prefill",
            PoolName::Decode => "decode",
        }
    }

    /// The name of one of its types of instance, which is empty where all are alike.
    pub fn with(self, kind: &str) -> String {
        if kind.is_empty() { self.shown().to_owned() } else { format!("{}/{kind}", self.shown()) }
    }
}
