"""HitRate and NDCG over one Example per user, as TFMA metrics and as plain functions."""
