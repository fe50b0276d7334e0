from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("catalogue", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="product",
            name="durability_guarantee_years",
            field=models.PositiveSmallIntegerField(default=0),
        ),
    ]
