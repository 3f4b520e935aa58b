resource "test_thing" "a" {
  for_each = { w = 1, x = 1, y = 2 }
  name = "a-${each.key}"
  size = each.value
}
