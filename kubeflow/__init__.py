"""Runner files for Kubeflow Pipelines and Vertex, and what belongs to those engines alone."""
