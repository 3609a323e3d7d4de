//! The `portcullis` program: hands its arguments to the command line and exits with its code.

/// Requests are many small allocations; what it gains stands in `benches/README.md`.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    portcullis::cli::main()
}
