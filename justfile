# The same as `scripts/test`, by its usual name.
test:
    scripts/test

# Live trains on http://127.0.0.1:8765/, without Redis.
demo:
    cargo run --release -- demo

# Your Redis on ws://127.0.0.1:8765/.
serve *options:
    cargo run --release -- serve {{options}}

# The book of all crates.
doc:
    cargo doc --workspace --no-deps --open

# The README's picture of the demo.
picture:
    cargo build -p redwire-cli && REDWIRE_PICTURE={{justfile_directory()}}/docs/demo.png cargo test -p redwire-suites --test page

# redwire beside other servers: a quarter of an hour, on a machine that does nothing else.
peers *options:
    scripts/bench-peers
    cargo run --release -p redwire-bench -- peers {{options}}
