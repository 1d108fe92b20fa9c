"""The TypeScript client: it is what the document says, compiles strictly, and renews tokens."""

import json
import re
from filecmp import cmpfiles
from pathlib import Path

import pytest

from tests.support.node_tools import TYPESCRIPT_CLIENT, run_node
from tests.support.pages import blocks
from tests.support.printed_calls import ROOT
from tests.support.typescript_client import install_client

# Some seconds of a core; as many as that takes on a machine that others use.
pytestmark = pytest.mark.timeout(240)

DOCUMENT = ROOT / "services/query-api/src/query_api/openapi.json"
GENERATED = TYPESCRIPT_CLIENT / "src/generated"
GENERATOR = TYPESCRIPT_CLIENT / "node_modules/@hey-api/openapi-ts/bin/run.js"
COMPILER = TYPESCRIPT_CLIENT / "node_modules/typescript/bin/tsc"
README = "clients/typescript/README.md"
SERVES_THE_DOCUMENT = {"getStart", "getDocs", "getDocsAsset", "getContract"}
STRICTLY = (
    *("--strict", "--noEmit", "--target", "es2022", "--module", "nodenext", "--types", "node"),
    "--noUncheckedIndexedAccess",
)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("typescript")
    (folder / "package.json").write_text('{"type": "module"}')
    install_client(folder)
    return folder


def names_in(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_generated_files_match_the_document(tmp_path: Path) -> None:
    made = tmp_path / "generated"
    ran = run_node(GENERATOR, "--silent", "--no-log-file", "--output", made, cwd=TYPESCRIPT_CLIENT)
    assert ran.returncode == 0, ran.stdout + ran.stderr

    names = names_in(made)
    assert len(names) > 10
    same, *others = cmpfiles(GENERATED, made, names | names_in(GENERATED), shallow=False)
    assert (set(same), others) == (names, [[], []]), "run `make contract` and commit what it writes"


def test_every_operation_has_a_function() -> None:
    paths = json.loads(DOCUMENT.read_bytes())["paths"]
    operations = {each["operationId"] for methods in paths.values() for each in methods.values()}
    functions = set(
        re.findall(r"^export const (\w+) = ", (GENERATED / "sdk.gen.ts").read_text(), re.MULTILINE)
    )
    assert functions == operations - SERVES_THE_DOCUMENT


def test_everything_compiles_strictly() -> None:
    ran = run_node(COMPILER, "--strict", cwd=TYPESCRIPT_CLIENT)
    assert ran.returncode == 0, ran.stdout


def test_the_readmes_programs_compile_against_the_package(installed: Path) -> None:
    programs = [block.text for block in blocks(README) if block.language == "ts"]
    assert len(programs) >= 3
    for number, program in enumerate(programs):
        (installed / f"readme{number}.ts").write_text(program)
    names = [f"readme{number}.ts" for number in range(len(programs))]
    ran = run_node(COMPILER, *STRICTLY, *names, cwd=installed)
    assert ran.returncode == 0, ran.stdout


@pytest.mark.parametrize(
    ("call", "fault"),
    [
        ("getShipment({ client, path: { number: 'x' } })", "'number' does not exist"),
        ("getShipment({ client })", "Property 'path' is missing"),
        ("listShipments({ client, query: { limit: 'ten' } })", "'string' is not assignable to type 'number'"),
        (
            "reportEvent({ client, body: { tracking_number: '', status: 'lost', source: '', timestamp: ''}})",
            '"lost"',
        ),
    ],
)
def test_a_wrong_call_does_not_compile(installed: Path, call: str, fault: str) -> None:
    imported = "import { connect, getShipment, listShipments, reportEvent } from '@waybill/client';"
    client = "const client = connect({ url: 'http://localhost', apiKey: 'k' });"
    (installed / "wrong.ts").write_text(f"{imported}\n{client}\nawait {call};\n")
    ran = run_node(COMPILER, *STRICTLY, "wrong.ts", cwd=installed)
    assert ran.returncode != 0
    assert fault in ran.stdout


def test_tokens_errors_redirects_and_streams(installed: Path) -> None:
    """Run the client's own tests against the package."""
    tests = installed / "connect.test.ts"
    tests.write_text((TYPESCRIPT_CLIENT / "test/connect.test.ts").read_text())
    ran = run_node(tests, cwd=installed)
    assert ran.returncode == 0, ran.stdout
    assert re.search(r"^. pass 10$", ran.stdout, re.MULTILINE), ran.stdout
