from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("payments", "0003_saved_method")]

    operations = [
        migrations.AlterField(
            model_name="paymentevent",
            name="source",
            field=models.CharField(max_length=254),
        ),
    ]
