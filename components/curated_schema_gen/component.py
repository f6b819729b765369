"""CuratedSchemaGen: the schema shipped in a package, as an artifact."""

import hashlib
import os
from importlib import resources

from tfx import v1 as tfx
from tfx.dsl.io import fileio
from tfx.types import standard_artifacts

from transforms.base.errors import UserError

SOURCE = "source"
"""The schema's custom property that tells its package and file, with a colon between."""


@tfx.dsl.components.component
def CuratedSchemaGen(  # noqa: D417
    schema: tfx.dsl.components.OutputArtifact[standard_artifacts.Schema],
    package: tfx.dsl.components.Parameter[str],
    file: tfx.dsl.components.Parameter[str],
    digest: tfx.dsl.components.Parameter[str],
) -> None:
    """Writes a schema that lies in an installed package.

    Unlike ImportSchemaGen it names no path, which would differ between the machine that compiles a
    pipeline and the image that runs it.

    Args:
        package: Dotted name of the package.
        file: Name of the text proto in it.
        digest: What the SHA-256 of the file starts with. It makes TFX's cache see an edited schema.

    Component `outputs` contains:
     - `schema`: Channel of type `standard_artifacts.Schema`.

    Raises:
        UserError: The file is not the one that the pipeline was compiled with.
    """
    text = (resources.files(package) / file).read_bytes()
    if not hashlib.sha256(text).hexdigest().startswith(digest):
        raise UserError(
            f"{package}/{file}: differs from the one that the pipeline was compiled with; "
            "build the image and compile the pipeline from the same sources"
        )
    with fileio.open(os.path.join(schema.uri, "schema.pbtxt"), "wb") as target:
        target.write(text)
    schema.set_string_custom_property(SOURCE, f"{package}:{file}")
