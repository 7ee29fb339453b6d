import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("rooms", "0005_frozen_tokens"), ("chat", "0002_message_functions")]

    operations = [
        migrations.AddField(
            model_name="room",
            name="conversation",
            field=models.OneToOneField(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="room",
                to="chat.conversation",
            ),
        ),
    ]
