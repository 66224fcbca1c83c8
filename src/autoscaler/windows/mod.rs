//! What policies remember of the recent past, over windows of time that trail the present.
//!
//! [`buckets`] are the windows of Knative and of systems built like it; [`trailing`] has a mean by time and the extreme of
//! recent recommendations.

pub(in crate::autoscaler) mod buckets;
pub(in crate::autoscaler) mod trailing;
