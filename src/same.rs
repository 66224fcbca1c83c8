//! Equality behind a trait object.

use std::any::Any;

/// Equality across kinds: two values of different kinds are never equal.
pub(crate) trait SameAs {
    /// Whether `other` is of the same kind and equal.
    fn same_as(&self, other: &dyn Any) -> bool;
}

impl<P: PartialEq + Any> SameAs for P {
    fn same_as(&self, other: &dyn Any) -> bool {
        other.downcast_ref::<P>() == Some(self)
    }
}
