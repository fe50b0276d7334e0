import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models
from django.db.models import Q

import payments.providers.demo.models


class Migration(migrations.Migration):
    dependencies = [
        ("demo", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="demopayment",
            name="capture_later",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="demopayment",
            name="authorized_until",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AlterField(
            model_name="demopayment",
            name="state",
            field=models.CharField(
                choices=[
                    ("open", "Open"),
                    ("challenge", "Challenge"),
                    ("processing", "Processing"),
                    ("authorized", "Authorized"),
                    ("paid", "Paid"),
                    ("declined", "Declined"),
                    ("cancelled", "Cancelled"),
                    ("reversed", "Reversed"),
                    ("expired", "Expired"),
                ],
                default="open",
                max_length=20,
            ),
        ),
        migrations.CreateModel(
            name="DemoCapture",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(max_length=64, unique=True)),
                ("ref", models.CharField(default=payments.providers.demo.models.new_ref, max_length=40, unique=True)),
                ("amount", models.BigIntegerField()),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "payment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="captures", to="demo.demopayment"
                    ),
                ),
            ],
            options={
                "ordering": ["pk"],
                "constraints": [models.CheckConstraint(condition=Q(("amount__gt", 0)), name="demo_capture_positive")],
            },
        ),
    ]
