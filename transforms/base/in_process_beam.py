"""The Beam runner of everything that runs on this machine, by name.

Beam's default, DirectRunner, downloads another one, Prism, from the network and starts it; only
where that fails does it fall back to FnApiRunner, which runs in the process itself and hands on
what a DoFn raises as it is.
"""

LOCAL_RUNNER = "FnApiRunner"
# Given arguments without an image, TFX builds a source distribution of itself for each step, which
# takes over a second. A runner within the process starts no workers from any image.
LOCAL_ARGS = (f"--runner={LOCAL_RUNNER}", "--sdk_container_image=none")
"""The arguments of a Beam step that name it."""


def make_default() -> None:
    """Makes it the runner of this process's pipelines that name none.

    That of TFX's BeamDagRunner is one: it takes no arguments.
    """
    # Those who only name the runner are spared Beam.
    from apache_beam.options.pipeline_options import StandardOptions

    StandardOptions.DEFAULT_RUNNER = LOCAL_RUNNER
