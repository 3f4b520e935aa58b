resource "test_thing" "a" {
  count = 5
  name = "a${count.index}"
}
