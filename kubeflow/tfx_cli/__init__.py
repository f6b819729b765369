"""What `tfx --engine kubeflow` lacks in TFX 1.21, for any pipeline.

The .pth file puts this folder on the path of an environment and has Python load the hook. Nothing
here imports the project: under the name of `kubeflow` a user may have another package.
"""
