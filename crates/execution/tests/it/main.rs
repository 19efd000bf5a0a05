//! What the compiler must refuse: an order that was not approved, or an approval that is sent twice.

/// One file a case, each with the compiler's message. `TRYBUILD=overwrite` rewrites the messages.
#[test]
fn only_approved_orders_are_sent_and_once() {
    trybuild::TestCases::new().compile_fail("tests/it/compile_fail/*.rs");
}
