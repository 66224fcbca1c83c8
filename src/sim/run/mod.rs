//! One run: the model it is made of, the requests it is fed, the queue of its events, the engine that lets everything
//! happen in order, and the simulation as the rest of the program drives it. This room uses all the others and none of
//! them uses it. What the parts of a run do by themselves is in their own rooms.

mod engine;
mod event_queue;
mod limits;
mod model;
mod operations;
mod options;
mod request_side;
mod requests;
mod simulation;
mod two_pools;

pub use limits::RunLimits;
pub use model::{Conflict, Decode, Model};
pub use options::Options;
pub use requests::{BLOCK, Block, RequestSource};
pub use simulation::{Simulation, simulate};
