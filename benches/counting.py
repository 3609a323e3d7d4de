"""Builds benches/micro and counts what one step of a case costs, whatever else the machine does.

A case runs few and many times under valgrind, which counts within its steps alone; the difference is what so many
of them cost once the first ones are over.
Seeds of hash tables and the housekeeping of caches leave a spread of some per cent on single steps and of one on
whole requests: who compares takes the least of several counts. glibc is held to its plain copies, so that less hangs
on the model of the processor.
"""
import json, os, platform, re, subprocess, tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STEP = "*Case::step*"
ENVIRONMENT = os.environ | {"GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-AVX,-AVX512F,-ERMS,-FSRM"}


def build():
    out = subprocess.run(["cargo", "build", "--release", "--locked", "-p", "portcullis-micro", "--message-format=json"],
                         cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    messages = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
    warnings = [m["message"]["rendered"] for m in messages if m["reason"] == "compiler-message"]
    if warnings:
        raise SystemExit("an optimised build warns, where lints of debug builds do not look:\n" + "".join(warnings))
    binary = next(m["executable"] for m in messages if m.get("executable") and m["target"]["name"] == "micro")
    if b"PORTCULLIS_MUTANT" in Path(binary).read_bytes():
        raise SystemExit("an optimised build holds the mistakes of crates/rules/src/mutants.rs: has its profile debug assertions?")
    return binary


def cases(binary):
    return subprocess.run([binary], check=True, capture_output=True, text=True).stdout.split()


def machine():
    """What counts depend on besides the code."""
    rustc = subprocess.run(["rustc", "--version"], check=True, capture_output=True, text=True).stdout.strip()
    flags = Path("/proc/cpuinfo").read_text() if platform.system() == "Linux" else ""
    return {"rustc": rustc, "processor": platform.machine() + (" with AVX2" if " avx2 " in flags else "")}


def run(binary, case, times):
    """Instructions, and calls of the allocator."""
    with tempfile.NamedTemporaryFile(suffix=".callgrind") as file:
        out = subprocess.run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={file.name}", f"--toggle-collect={STEP}", binary, case,
                              str(times)], check=True, capture_output=True, text=True, env=ENVIRONMENT).stderr
        profile = Path(file.name).read_text(errors="replace")
    return int(re.search(r"Collected : (\d+)", out).group(1)), allocations(profile)


def allocations(profile):
    """Calls of the functions that give a Rust program memory, from the call lines of a profile; a function's name stands
    where it comes first, its number afterwards."""
    names, calls, callee = {}, 0, None
    for line in profile.splitlines():
        if named := re.match(r"c?fn=\((\d+)\)(?: (.*))?", line):
            if named.group(2):
                names[named.group(1)] = named.group(2)
            callee = named.group(1) if line.startswith("cfn=") else None
        elif callee and (call := re.match(r"calls=(\d+)", line)):
            if re.search(r"__rust_(alloc|alloc_zeroed|realloc)$", names[callee]):
                calls += int(call.group(1))
    return calls


def per_step(binary, case):
    """Instructions and allocations of one step."""
    few, many = (200, 1000) if case.startswith("gate-") else (1000, 9000)
    before, after = run(binary, case, few), run(binary, case, many)
    return tuple(round((after - before) / (many - few), 1) for before, after in zip(before, after))


def all_per_step(binary, names):
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return dict(zip(names, pool.map(lambda name: per_step(binary, name), names)))


def least(binary, names, times):
    """The least instructions of several counts."""
    counted = [all_per_step(binary, names) for _ in range(times)]
    return {name: round(min(count[name][0] for count in counted)) for name in names}
