//! The registry of service models: one line registers a model.

use super::batch::Batch;
use super::llm::Llm;
use super::requirement::TokenLaws;
use super::service_model::{Requirement, ServerChoice, ServiceModel};
use super::shared::Shared;
use super::slots::Slots;
use super::trace_input::TraceColumnMeans;
use crate::schema::{Problem, Reader, TableSpec};

/// States the service models: an enum of their settings, each question to which goes to the model itself.
macro_rules! models {
    ($($model:ident: $doc:literal,)*) => {
        /// A service model with its settings.
        // There is one of a run, and never a list of them.
        #[allow(clippy::large_enum_variant)]
        #[derive(Debug, Clone, PartialEq)]
        pub enum Model {
            $(#[doc = $doc] $model($model),)*
        }

        /// The keys of each model.
        pub(super) const SPECS: &[&TableSpec] = &[$(&<$model as ServiceModel>::SPEC),*];

        /// Reads the table of the model `name`, which is one of [`SPECS`].
        pub(super) fn read(
            name: &str,
            reader: &Reader<'_>,
            columns: TraceColumnMeans,
        ) -> Result<(Requirement, Model), Problem> {
            $(if name == <$model as ServiceModel>::SPEC.name {
                let (required, model) = <$model as ServiceModel>::read(reader, columns)?;
                return Ok((required, Model::$model(model)));
            })*
            Err(reader.missing("model"))
        }

        impl Model {
            /// Places of an instance, each of which is busy or idle: the utilization is the mean share of them that is
            /// busy.
            pub fn places(&self) -> u32 {
                match self { $(Model::$model(model) => model.places(),)* }
            }

            /// Most requests that an instance serves at a time.
            pub fn most_at_once(&self) -> u32 {
                match self { $(Model::$model(model) => model.most_at_once(),)* }
            }

            /// Slots for which memory is allocated when an instance starts; models without slots allocate it by request.
            pub fn slots_allocated(&self) -> u32 {
                match self { $(Model::$model(model) => model.slots_allocated(),)* }
            }

            /// Whether the throughput it gives is an approximation.
            pub fn is_approximate(&self) -> bool {
                match self { $(Model::$model(_) => <$model as ServiceModel>::IS_APPROXIMATE,)* }
            }

            /// How an instance serves, for people; `alone` is the mean service time of a request by itself.
            pub fn in_words(&self, alone: &str) -> String {
                match self { $(Model::$model(model) => model.in_words(alone),)* }
            }

            /// Maximum throughput of one instance, requests per second.
            pub(super) fn throughput(&self, time_s: f64, tokens: Option<&TokenLaws>) -> f64 {
                match self { $(Model::$model(model) => ServiceModel::throughput(model, time_s, tokens),)* }
            }

            /// Chooses its server.
            pub(crate) fn choose<C: ServerChoice>(&self, choice: C) -> C::Chosen {
                match self { $(Model::$model(model) => model.choose(choice),)* }
            }
        }
    };
}

models! {
    Slots: "See [`Slots`].",
    Shared: "See [`Shared`].",
    Batch: "See [`Batch`].",
    Llm: "See [`Llm`].",
}
