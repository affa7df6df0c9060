"""What is asked of Shopify and told to it, in GraphQL.

Held against the Admin schema of 2026-07 by the tests. Numbers of what is asked for at once are
small: a query may cost 1,000 points, and one of a list costs its length times one of its records.
"""

from __future__ import annotations

_UNIT = """
fragment Unit on FulfillmentOrder {
  id status updatedAt fulfillAt fulfillBy
  assignedLocation { name location { id } }
  deliveryMethod {
    methodType minDeliveryDateTime maxDeliveryDateTime
    additionalInformation { instructions phone }
  }
  destination {
    firstName lastName company address1 address2 city province zip countryCode email phone
  }
  fulfillments(first: 3) { nodes { status trackingInfo(first: 1) { number } } }
  lineItems(first: $lines) { pageInfo { hasNextPage endCursor } nodes { ...UnitLine } }
}
"""
_UNIT_LINE = """
fragment UnitLine on FulfillmentOrderLineItem {
  id totalQuantity remainingQuantity sku productTitle variantTitle requiresShipping
  weight { value unit }
  lineItem { id customAttributes { key value } }
}
"""
_ORDER = (
    """
fragment WholeOrder on Order {
  id name updatedAt cancelledAt test note tags email phone customerLocale
  displayFinancialStatus
  totalOutstandingSet { shopMoney { amount currencyCode } }
  customAttributes { key value }
  billingAddress { name company phone }
  shippingAddress {
    name company address1 address2 city provinceCode zip countryCodeV2 phone latitude longitude
  }
  fulfillmentOrders(first: $units) {
    pageInfo { hasNextPage endCursor }
    nodes { ...Unit }
  }
}
"""
    + _UNIT
    + _UNIT_LINE
)

ORDERS = (
    """
query HubOrders($first: Int!, $after: String, $query: String, $units: Int!, $lines: Int!) {
  shop { ianaTimezone }
  orders(first: $first, after: $after, query: $query, sortKey: UPDATED_AT) {
    pageInfo { hasNextPage endCursor }
    nodes { ...WholeOrder }
  }
}
"""
    + _ORDER
)
UNITS = (
    """
query HubUnits($first: Int!, $after: String, $query: String, $units: Int!, $lines: Int!) {
  shop { ianaTimezone }
  fulfillmentOrders(
    first: $first, after: $after, query: $query, sortKey: UPDATED_AT, includeClosed: true
  ) {
    pageInfo { hasNextPage endCursor }
    nodes { updatedAt order { ...WholeOrder } }
  }
}
"""
    + _ORDER
)
ONE = (
    """
query HubOne($id: ID!, $units: Int!, $lines: Int!) {
  shop { ianaTimezone }
  fulfillmentOrder(id: $id) { order { ...WholeOrder } }
}
"""
    + _ORDER
)
MORE_UNITS = (
    """
query HubMoreUnits($id: ID!, $after: String, $units: Int!, $lines: Int!) {
  order(id: $id) {
    fulfillmentOrders(first: $units, after: $after) {
      pageInfo { hasNextPage endCursor }
      nodes { ...Unit }
    }
  }
}
"""
    + _UNIT
    + _UNIT_LINE
)
MORE_LINES = (
    """
query HubMoreLines($id: ID!, $after: String) {
  fulfillmentOrder(id: $id) {
    lineItems(first: 50, after: $after) {
      pageInfo { hasNextPage endCursor }
      nodes { ...UnitLine }
    }
  }
}
"""
    + _UNIT_LINE
)
NEWEST = """
query HubNewest {
  orders(first: 1, sortKey: UPDATED_AT, reverse: true) { nodes { updatedAt } }
  fulfillmentOrders(first: 1, sortKey: UPDATED_AT, reverse: true, includeClosed: true) {
    nodes { updatedAt }
  }
}
"""
PEOPLE = """
query HubPeople {
  orders(first: 10, sortKey: UPDATED_AT, reverse: true) {
    nodes { email shippingAddress { name address1 } billingAddress { name address1 } }
  }
}
"""
SHOP = """
query HubShop {
  shop { name myshopifyDomain }
  currentAppInstallation { accessScopes { handle } }
}
"""
LOCATIONS = """
query HubLocations($after: String) {
  locations(first: 100, after: $after) {
    pageInfo { hasNextPage endCursor }
    nodes { id name }
  }
}
"""

PROGRESS = """
query HubProgress($id: ID!) {
  fulfillmentOrder(id: $id) {
    id status
    supportedActions { action }
    fulfillments(first: 10, reverse: true) {
      nodes {
        id status
        trackingInfo(first: 1) { number url company }
        events(first: 25, reverse: true) { nodes { status happenedAt } }
      }
    }
    order { id name cancelledAt tags }
  }
}
"""
FULFIL = """
mutation HubFulfil($fulfillment: FulfillmentInput!, $message: String) {
  fulfillmentCreate(fulfillment: $fulfillment, message: $message) {
    fulfillment { id }
    userErrors { field message }
  }
}
"""
TRACKING = """
mutation HubTracking($id: ID!, $info: FulfillmentTrackingInput!) {
  fulfillmentTrackingInfoUpdate(
    fulfillmentId: $id, trackingInfoInput: $info, notifyCustomer: false
  ) {
    fulfillment { id }
    userErrors { field message }
  }
}
"""
EVENT = """
mutation HubEvent($event: FulfillmentEventInput!) {
  fulfillmentEventCreate(fulfillmentEvent: $event) {
    fulfillmentEvent { id }
    userErrors { field message }
  }
}
"""
TAGS = """
mutation HubTags($id: ID!, $old: [String!]!, $new: [String!]!) {
  tagsRemove(id: $id, tags: $old) { userErrors { field message } }
  tagsAdd(id: $id, tags: $new) { userErrors { field message } }
}
"""

HOOKS = """
query HubHooks($after: String) {
  webhookSubscriptions(first: 100, after: $after) {
    pageInfo { hasNextPage endCursor }
    nodes { id topic uri name }
  }
}
"""
HOOK = """
mutation HubHook($topic: WebhookSubscriptionTopic!, $hook: WebhookSubscriptionInput!) {
  webhookSubscriptionCreate(topic: $topic, webhookSubscription: $hook) {
    webhookSubscription { id }
    userErrors { field message }
  }
}
"""
UNHOOK = """
mutation HubUnhook($id: ID!) {
  webhookSubscriptionDelete(id: $id) { userErrors { field message } }
}
"""
UNINSTALL = """
mutation HubUninstall {
  appUninstall { userErrors { field message } }
}
"""
