//! `model = "shared"`: processor sharing, at a speed that depends on the number of requests that share.

mod curve;
mod server;
mod settings;

pub use server::SharedServer;
pub use settings::Shared;
