"""Where Kubernetes runs the pods of steps, and what those have mounted."""

import dataclasses
from collections.abc import Mapping

from kfp.kubernetes.kubernetes_executor_config_pb2 import (
    ImagePullSecret,
    KubernetesExecutorConfig,
    NodeSelector,
    PvcMount,
    SecurityContext,
    Toleration,
)

from kubeflow.storage import Volume
from kubeflow.variables import ClusterEnvironment
from transforms.base.settings import check

_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Placement:
    """What Kubernetes is told of pods.

    Attributes:
        gpu_labels: Labels of the nodes for steps with GPUs; none leaves it to the scheduler.
        gpu_tolerations: Taints of nodes that steps with GPUs do not mind.
        volume: Of all steps, or None.
        image_pull_secrets: Names of the secrets that the image is pulled with.
    """

    gpu_labels: Mapping[str, str]
    gpu_tolerations: tuple[Toleration, ...]
    volume: Volume | None
    image_pull_secrets: tuple[str, ...]

    @classmethod
    def from_environment(
        cls, environment: ClusterEnvironment, volume: Volume | None
    ) -> "Placement":
        """Returns what TRAINER_NODE_SELECTOR, TRAINER_TOLERATIONS and others say.

        Args:
            environment: The variables.
            volume: Of all steps, or None.

        Raises:
            UserError: A value is not of the form that is expected.
        """
        return cls(
            gpu_labels=dict(map(_label, _listed(environment, "TRAINER_NODE_SELECTOR"))),
            gpu_tolerations=tuple(map(_toleration, _listed(environment, "TRAINER_TOLERATIONS"))),
            volume=volume,
            image_pull_secrets=tuple(_listed(environment, "IMAGE_PULL_SECRETS")),
        )

    def executor_config(self, gpus: int) -> KubernetesExecutorConfig:
        """Returns the message for a step with so many GPUs.

        The image's user is a number, by which Kubernetes can tell that it is not root.
        """
        config = KubernetesExecutorConfig(
            image_pull_secret=[ImagePullSecret(secret_name=s) for s in self.image_pull_secrets],
            security_context=SecurityContext(run_as_non_root=True),
        )
        if self.volume:
            mount = PvcMount(constant=self.volume.claim, mount_path=self.volume.path)
            config.pvc_mount.append(mount)
        if gpus:
            if self.gpu_labels:
                config.node_selector.CopyFrom(NodeSelector(labels=self.gpu_labels))
            config.tolerations.extend(self.gpu_tolerations)
        return config


def _listed(environment: ClusterEnvironment, name: str) -> list[str]:
    return [entry for entry in environment.get(name).split(",") if entry]


def _label(text: str) -> tuple[str, str]:
    label, equals, value = text.partition("=")
    check(bool(label and equals), "TRAINER_NODE_SELECTOR", text, "label=value, with commas between")
    return label, value


def _toleration(text: str) -> Toleration:
    taint, _, effect = text.rpartition(":")
    key, equals, value = taint.partition("=")
    rule = f"key:effect or key=value:effect, with one of {', '.join(_EFFECTS)}"
    check(bool(key) and effect in _EFFECTS, "TRAINER_TOLERATIONS", text, rule)
    operator = "Equal" if equals else "Exists"
    return Toleration(key=key, operator=operator, value=value, effect=effect)
