from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orders", "0001_initial")]

    operations = [
        migrations.AlterField(
            model_name="orderevent",
            name="actor",
            field=models.CharField(blank=True, max_length=254),
        ),
    ]
