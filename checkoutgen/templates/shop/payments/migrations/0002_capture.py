import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models
from django.db.models import Q

import payments.models


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0001_initial"),
        ("payments", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="paymentattempt",
            name="authorized_until",
            field=models.DateTimeField(blank=True, db_index=True, null=True),
        ),
        migrations.CreateModel(
            name="Capture",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(default=payments.models.new_key, editable=False, max_length=32, unique=True)),
                ("amount", models.BigIntegerField()),
                ("final", models.BooleanField(default=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("requested", "Requested"),
                            ("pending", "On its way"),
                            ("done", "Collected"),
                            ("failed", "Failed"),
                        ],
                        default="requested",
                        max_length=20,
                    ),
                ),
                ("provider_ref", models.CharField(blank=True, max_length=200)),
                ("failure", models.CharField(blank=True, max_length=60)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("next_check_at", models.DateTimeField(blank=True, db_index=True, null=True)),
                (
                    "attempt",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="captures",
                        to="payments.paymentattempt",
                    ),
                ),
                (
                    "fulfilment",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, to="orders.fulfilment"
                    ),
                ),
                (
                    "order",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="captures", to="orders.order"
                    ),
                ),
            ],
            options={
                "verbose_name": "collection of money",
                "verbose_name_plural": "collections of money",
                "ordering": ["pk"],
                "constraints": [
                    models.CheckConstraint(condition=Q(("amount__gt", 0)), name="capture_amount_positive"),
                    models.UniqueConstraint(
                        condition=Q(("state", "failed"), _negated=True),
                        fields=("fulfilment",),
                        name="parcel_collected_for_once",
                    ),
                ],
            },
        ),
    ]
