resource "test_thing" "a" {
  for_each = { x = 1, y = 2 }
  name = "a-${each.key}"
  size = each.value
}

resource "test_thing" "b" {
  for_each = toset(["x", "y"])
  name = "b-${each.key}"
  lifecycle {
    replace_triggered_by = [test_thing.a[each.key]]
  }
}
