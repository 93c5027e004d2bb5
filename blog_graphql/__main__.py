"""``python -m blog_graphql`` is ``blog-graphql``."""

from blog_graphql.cli import main

if __name__ == "__main__":
    main()
