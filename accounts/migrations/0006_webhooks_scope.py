import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0005_language_and_time_zone'),
    ]

    operations = [
        migrations.AlterField(
            model_name='apikey',
            name='scopes',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('chat', 'Chat rooms and messages of its own'), ('pots', 'Pots: the signed game-room payments'), ('rounds', 'Rounds: act for the users of its game'), ('results', "Results: post the ranking of its game's sessions"), ('webhooks', 'Webhooks: endpoints of its own'), ('system', 'System: test-suite routes')], max_length=16), size=None, verbose_name='scopes'),
        ),
    ]
