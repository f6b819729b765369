"""The handler of `tfx --engine kubeflow`, on the client of Kubeflow Pipelines 2."""

import contextlib
import functools
import tempfile
from collections.abc import Callable, Iterator
from typing import Any

import click
import kfp
from tfx.tools.cli import labels
from tfx.tools.cli.container_builder import builder
from tfx.tools.cli.handler.base_handler import BaseHandler
from tfx.tools.cli.handler.kubeflow_v2_dag_runner_patcher import KubeflowV2DagRunnerPatcher
from tfx_kubeflow_client import (
    connect,
    experiment_ids,
    named,
    pages,
    run_link,
    service_errors,
    stamped,
    start_run,
)
from tfx_kubeflow_parameters import typed

_NEWEST_FIRST = "created_at desc"
_WANTED = """\
{file}: Kubeflow Pipelines takes the 2.1 pipeline spec as YAML, which KubeflowV2DagRunner writes \
with use_pipeline_spec_2_1=True in its config and output_filename="pipeline.yaml"\
"""


class _Patcher(KubeflowV2DagRunnerPatcher):
    """Insists on the form that Kubeflow Pipelines takes.

    Attributes:
        folder: Where the file goes; "" for where the runner file has it.
    """

    def __init__(self, folder: str = "", build_image: Callable[[str], str] | None = None):
        super().__init__(call_real_run=True, build_image_fn=build_image)
        self.folder = folder

    def _before_run(self, runner: Any, pipeline: Any, context: Any) -> None:
        yaml = runner._output_filename.endswith((".yaml", ".yml"))
        if not (yaml and runner.config.use_pipeline_spec_2_1):
            raise click.ClickException(_WANTED.format(file=runner._output_filename))
        runner._output_dir = self.folder or runner._output_dir
        super()._before_run(runner, pipeline, context)


class KubeflowHandler(BaseHandler):
    """What the commands `tfx pipeline` and `tfx run` do; their options are in `flags_dict`.

    A pipeline's runs are in the experiment of its name.
    """

    def create_pipeline(self) -> None:
        """Uploads a pipeline that is not there yet."""
        self._upload(update=False)

    def update_pipeline(self) -> None:
        """Uploads a new version of a pipeline."""
        self._upload(update=True)

    def compile_pipeline(self) -> None:
        """Writes the spec to where the runner file has it."""
        patcher = _Patcher()
        context = self.execute_dsl(patcher)
        click.echo("Pipeline compiled successfully.")
        click.echo(f"Pipeline package path: {context[patcher.OUTPUT_FILE_PATH]}")

    def list_pipelines(self) -> None:
        """Prints all pipelines."""
        with self._service() as client:
            namespace = client.get_user_namespace() or None
            found = [
                each
                for page in pages(client.list_pipelines, namespace=namespace)
                for each in page.pipelines or ()
            ]
        if not found:
            click.echo("No pipelines to display.")
            return
        rows = [[each.display_name, each.pipeline_id, each.created_at] for each in found]
        click.echo(self._format_table(["pipeline_name", "pipeline_id", "created_at"], rows))

    def delete_pipeline(self) -> None:
        """Deletes a pipeline with its versions and its experiment."""
        name = self.flags_dict[labels.PIPELINE_NAME]
        pipeline = self._pipeline_id(name)
        with self._service() as client:
            # Those that are gone would shift the pages.
            versions = [
                version.pipeline_version_id
                for page in pages(client.list_pipeline_versions, pipeline_id=pipeline)
                for version in page.pipeline_versions or ()
            ]
            for version in versions:
                client.delete_pipeline_version(pipeline, version)
            client.delete_pipeline(pipeline)
            for experiment in experiment_ids(client, name):
                client.delete_experiment(experiment)
        click.echo(f"Pipeline {name} deleted successfully.")

    def get_schema(self) -> None:
        """Is not supported: the schema lies in a cluster's store."""
        raise click.ClickException(
            "not supported for kubeflow: the schema is an output of the step SchemaGen, whose "
            "address the console of Kubeflow Pipelines shows"
        )

    def create_run(self) -> None:
        """Starts a run of the newest version."""
        name = self.flags_dict[labels.PIPELINE_NAME]
        pipeline = self._pipeline_id(name)
        with self._service() as client:
            (version,) = client.list_pipeline_versions(
                pipeline, page_size=1, sort_by=_NEWEST_FIRST
            ).pipeline_versions
            parameters = typed(self.flags_dict[labels.RUNTIME_PARAMETER], version.pipeline_spec)
            run = start_run(client, name, version, parameters)
        click.echo(f"Run created for pipeline: {name}")
        self._print_runs(name, [run])

    def delete_run(self) -> None:
        """Deletes a run."""
        with self._service() as client:
            client.delete_run(self.flags_dict[labels.RUN_ID])
        click.echo("Run deleted.")

    def terminate_run(self) -> None:
        """Stops a run."""
        with self._service() as client:
            client.terminate_run(self.flags_dict[labels.RUN_ID])
        click.echo("Run terminated.")

    def list_runs(self) -> None:
        """Prints all runs of a pipeline, newest first."""
        name = self.flags_dict[labels.PIPELINE_NAME]
        self._pipeline_id(name)
        with self._service() as client:
            runs = [
                run
                for experiment in experiment_ids(client, name)
                for page in pages(client.list_runs, experiment_id=experiment, sort_by=_NEWEST_FIRST)
                for run in page.runs or ()
            ]
        if runs:
            self._print_runs(name, runs)
        else:
            click.echo("No runs found.")

    def get_run(self) -> None:
        """Prints one run."""
        with self._service() as client:
            run = client.get_run(self.flags_dict[labels.RUN_ID])
        self._print_runs(self.flags_dict[labels.PIPELINE_NAME], [run])

    def _upload(self, update: bool) -> None:
        build_image = None
        if self.flags_dict.get(labels.BUILD_IMAGE):
            build_image = self._build_image
        with tempfile.TemporaryDirectory() as folder:
            patcher = _Patcher(folder, build_image)
            context = self.execute_dsl(patcher)
            name, package = context[patcher.PIPELINE_NAME], context[patcher.OUTPUT_FILE_PATH]
            with self._service() as client:
                if update:
                    known = self._pipeline_id(name)
                    client.upload_pipeline_version(package, stamped(name), pipeline_id=known)
                elif self._pipeline_ids(name):
                    raise click.ClickException(
                        f'Pipeline "{name}" already exists: use tfx pipeline update'
                    )
                else:
                    namespace = client.get_user_namespace() or None
                    client.upload_pipeline(package, pipeline_name=name, namespace=namespace)
                    client.create_experiment(name)
        click.echo(f'Pipeline "{name}" {"updated" if update else "created"} successfully.')

    def _build_image(self, image: str) -> str:
        built = builder.build(target_image=image, base_image=self.flags_dict.get(labels.BASE_IMAGE))
        click.echo(f'New container image "{built}" was built.')
        return built

    @functools.cached_property
    def _client(self) -> kfp.Client:
        flags = self.flags_dict
        return connect(flags[labels.ENDPOINT], flags[labels.NAMESPACE], flags[labels.IAP_CLIENT_ID])

    @contextlib.contextmanager
    def _service(self) -> Iterator[kfp.Client]:
        """Yields the client for calls that may fail."""
        with service_errors(self.flags_dict[labels.ENDPOINT]):
            yield self._client

    def _pipeline_ids(self, name: str) -> list[str]:
        with self._service() as client:
            answer = client.list_pipelines(
                filter=named(name), namespace=client.get_user_namespace() or None
            )
        return [each.pipeline_id for each in answer.pipelines or ()]

    def _pipeline_id(self, name: str) -> str:
        found = self._pipeline_ids(name)
        if not found:
            raise click.ClickException(
                f'Cannot find pipeline "{name}": is it the name, and the endpoint, that you meant?'
            )
        return found[0]

    def _print_runs(self, name: str, runs: list[Any]) -> None:
        rows = [
            [name, run.run_id, run.state, run.created_at, run_link(self._client, run.run_id)]
            for run in runs
        ]
        columns = ["pipeline_name", "run_id", "status", "created_at", "link"]
        click.echo(self._format_table(columns, rows))
