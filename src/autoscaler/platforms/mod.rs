//! Manifests of platforms that leave scaling to a system with a room of its own, and of services with a single file: read
//! only, each in its file, with one line in the table of forms.

mod bento_cloud;
mod cloud_run;
mod hugging_face;
mod kserve;
mod llm_inference_service;
mod seldon;
mod vertex;

use crate::autoscaler::reading::Form;

/// The forms of this room.
pub(super) const FORMS: [&Form; 7] = [
    &kserve::FORM,
    &llm_inference_service::FORM,
    &seldon::FORM,
    &cloud_run::FORM,
    &vertex::FORM,
    &hugging_face::FORM,
    &bento_cloud::FORM,
];
