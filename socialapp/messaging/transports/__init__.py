"""How events travel: Celery over RabbitMQ or Redis, or Kafka."""
