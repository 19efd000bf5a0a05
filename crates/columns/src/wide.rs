//! `wide!`: functions over columns that run with the widest instructions of the processor, and give the same bits with any.

pub use pulp::{Simd, WithSimd};

/// Runs a kernel with the widest instructions of this processor.
#[inline]
pub fn widest<K: WithSimd>(kernel: K) -> K::Output {
    pulp::Arch::new().dispatch(kernel)
}

/// Defines a function that is compiled once for each set of vector instructions; a call takes the widest that the processor
/// has. Loops over slices in it become vectors. Products are never fused and sums keep their order, so the results do not
/// depend on the processor. Functions that it calls in a loop must be `#[inline(always)]`, or they stay narrow.
///
/// ```
/// tradegraph_columns::wide! {
///     /// `y += a x`.
///     fn add<'a>(a: f64, x: &'a [f64], y: &'a mut [f64]) {
///         for (y, x) in y.iter_mut().zip(x) {
///             *y += a * x;
///         }
///     }
/// }
/// let mut y = [1.0, 2.0];
/// add(0.5, &[2.0, 4.0], &mut y);
/// assert_eq!(y, [2.0, 4.0]);
/// ```
#[macro_export]
macro_rules! wide {
    ($(#[$about:meta])* $vis:vis fn $name:ident<$a:lifetime>($($arg:ident: $type:ty),* $(,)?) $(-> $result:ty)? $body:block) => {
        $(#[$about])*
        #[allow(clippy::too_many_arguments, reason = "columns are arguments of their own, so that they are known not to overlap")]
        $vis fn $name<$a>($($arg: $type),*) $(-> $result)? {
            #[inline(always)]
            #[allow(clippy::too_many_arguments, reason = "as above")]
            fn body<$a>($($arg: $type),*) $(-> $result)? $body
            struct Wide<$a> {
                $($arg: $type),*
            }
            impl<$a> $crate::WithSimd for Wide<$a> {
                type Output = $crate::wide!(@output $($result)?);
                #[inline(always)]
                fn with_simd<S: $crate::Simd>(self, _: S) -> Self::Output {
                    body($(self.$arg),*)
                }
            }
            $crate::widest(Wide { $($arg),* })
        }
    };
    (@output) => { () };
    (@output $result:ty) => { $result };
}
