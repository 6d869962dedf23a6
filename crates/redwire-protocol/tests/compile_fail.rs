//! The usual mistakes: the compiler's message has to say what to write instead.
//!
//! The messages are those of the compiler that CI runs (`rust-version` in the root manifest). To
//! accept new ones: `TRYBUILD=overwrite cargo test -p redwire-protocol --test compile_fail`.

#[test]
fn the_usual_mistakes_are_explained() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
