"""How a metric reads what a model's preprocessing signature returned."""

from tensorflow_model_analysis.metrics import metric_types


def told_by_model(
    *feature_keys: str, model_name: str
) -> metric_types.StandardMetricInputsPreprocessor:
    """Returns what leaves a metric these features, beside labels, scores and weights.

    `get_transformed_features(model_name)` of a metric's inputs has them then.

    Args:
        *feature_keys: Names of the signature's outputs.
        model_name: As TFMA tells it: "" if there is but one model.
    """
    return metric_types.TransformedFeaturePreprocessor(
        feature_keys=feature_keys, model_names=[model_name] if model_name else None
    )
