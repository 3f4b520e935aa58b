resource "test_thing" "y" {
  name = "y"
}

resource "test_thing" "z" {
  name = "z"
}

data "test_lookup" "l" {
  for_each = { a = test_thing.y.id, b = test_thing.z.id }
  name     = each.value
}

resource "test_thing" "b" {
  name = "b"
  note = data.test_lookup.l["a"].found
}

resource "test_thing" "c" {
  name = "c"
  note = data.test_lookup.l["b"].found
}
