// The tabs that a newcomer finds: the documents in tour/, in their order.

import welcome from './tour/1-welcome.graphql';
import pages from './tour/2-pages.graphql';
import pagesVariables from './tour/2-pages.json';
import filters from './tour/3-filters.graphql';
import filtersVariables from './tour/3-filters.json';
import nestedPages from './tour/4-nested-pages.graphql';
import signUp from './tour/5-sign-up.graphql';
import signUpVariables from './tour/5-sign-up.json';
import publish from './tour/6-publish.graphql';
import publishVariables from './tour/6-publish.json';
import newPosts from './tour/7-new-posts.graphql';
import newPostsVariables from './tour/7-new-posts.json';

// The pane takes JSON with comments.
export const HEADERS = `{
  // To sign in, run the tab SignUp, put the accessToken here, and take away the slashes in front. Subscriptions send it as well.
  // "Authorization": "Bearer <accessToken>"
}`;

export const TABS = [
  tab(welcome),
  tab(pages, pagesVariables),
  tab(filters, filtersVariables),
  tab(nestedPages),
  tab(signUp, signUpVariables),
  tab(publish, publishVariables),
  tab(newPosts, newPostsVariables),
];

function tab(query, variables) {
  return { query, variables: variables && JSON.stringify(variables, null, 2), headers: HEADERS };
}
