"""The declaration of the present and the steps that lead to it change together."""

import hashlib
from pprint import pformat

from storage.mongo.schema import INDEXES, STEPS, VALIDATORS

DECLARED_AFTER = {
    2: "efc92ca9b3e26574",
    3: "35685218e1bd399c",
    4: "891a876980bb2a09",
    5: "c2f7616bfa6f02dc",
    6: "c9fa21f7c7cb1f01",
    7: "d6b874ef796386fe",
    8: "24e9e2e13e09f292",
}
"""Of each number of steps: what was declared then."""


def test_a_changed_declaration_comes_with_a_step() -> None:
    declared = {name: [model.document for model in models] for name, models in sorted(INDEXES.items())}
    digest = hashlib.sha256(pformat((declared, VALIDATORS)).encode()).hexdigest()[:16]
    assert DECLARED_AFTER.get(len(STEPS)) == digest, (
        "databases that exist have taken their steps: add one to STEPS, then the digest here"
    )
