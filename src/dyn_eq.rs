//! Equality behind a trait object.

use std::any::Any;

/// Equality with a value of any type: values of different types are never equal.
pub(crate) trait DynEq {
    /// Whether `other` has the same type and is equal.
    fn dyn_eq(&self, other: &dyn Any) -> bool;
}

impl<P: PartialEq + Any> DynEq for P {
    fn dyn_eq(&self, other: &dyn Any) -> bool {
        other.downcast_ref::<P>() == Some(self)
    }
}
