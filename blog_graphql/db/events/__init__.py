"""Live updates: how a committed write reaches the subscribers of every process."""

from blog_graphql.db.events.announcements import AnnouncingSession, Topic, announce
from blog_graphql.db.events.hub import Events
from blog_graphql.db.events.subscriptions import Subscription
from blog_graphql.errors import SlowSubscriber

__all__ = ["AnnouncingSession", "Events", "SlowSubscriber", "Subscription", "Topic", "announce"]
