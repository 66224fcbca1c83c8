//! Everything that is below the crate's root, for its own tests and benches. **Unstable**: any of it may change in any
//! release, without notice.

macro_rules! open {
    ($($module:ident)*) => {
        $(
            pub mod $module {
                pub use crate::$module::*;
            }
        )*
    };
}

open! {
    arrivals autoscaler backtest cancel distribution document experiment explain files fit lint random recommend
    report scenario schema service sim stats theory time
    traffic traffic_fit units
}
