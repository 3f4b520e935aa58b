# Kong Gateway in hybrid mode on EKS, in one run: network, roles, cluster, nodes
# and add-ons; then namespaces, certificate, database, migrations, control plane
# and data plane. The order comes from what each module takes of the one before.

locals {
  kong_image = "${var.kong_image.repository}:${var.kong_image.tag}"

  control_plane_instance = "kong"
  data_plane_instance    = "kong-dp"
}

module "eks" {
  source = "../eks"

  name                         = var.name
  kubernetes_version           = var.kubernetes_version
  vpc_cidr                     = var.vpc_cidr
  availability_zone_count      = var.availability_zone_count
  nat_gateway_per_zone         = var.nat_gateway_per_zone
  endpoint_public_access_cidrs = var.endpoint_public_access_cidrs
  node_group                   = var.node_group
  tags                         = var.tags
}

module "namespaces" {
  source = "../namespaces"

  control_plane = var.control_plane_namespace
  data_plane    = var.data_plane_namespace

  # The whole of it, not the cluster alone: on destroy, load balancers and
  # volumes are cleared away by the cluster's controllers and the CSI driver,
  # which need nodes, roles and a way out until the last object is gone.
  depends_on = [module.eks]
}

module "cluster_certificate" {
  source = "../cluster-certificate"

  namespaces = module.namespaces.names
}

module "database" {
  source = "../database"

  type      = var.database_type
  namespace = module.namespaces.control_plane
  rds       = var.rds
  tags      = var.tags

  client_match_labels = {
    "app.kubernetes.io/name"     = "kong"
    "app.kubernetes.io/instance" = local.control_plane_instance
  }

  network = {
    vpc_id                   = module.eks.vpc_id
    subnet_ids               = module.eks.private_subnet_ids
    client_security_group_id = module.eks.cluster_security_group_id
  }
}

module "control_plane" {
  source = "../control-plane"

  namespace             = module.namespaces.control_plane
  data_plane_namespaces = [module.namespaces.data_plane]
  instance              = local.control_plane_instance
  image                 = local.kong_image
  replicas              = var.control_plane_replicas
  license               = var.license
  exposure              = var.admin_exposure

  database                     = module.database.connection
  cluster_certificate_secret   = module.cluster_certificate.secret_name
  cluster_certificate_checksum = module.cluster_certificate.checksum
}

module "data_plane" {
  source = "../data-plane"

  namespace           = module.namespaces.data_plane
  instance            = local.data_plane_instance
  image               = local.kong_image
  license             = var.license
  autoscaling         = var.data_plane_autoscaling
  proxy_source_ranges = var.proxy_source_ranges

  control_plane_endpoint       = module.control_plane.cluster_endpoint
  telemetry_endpoint           = module.control_plane.telemetry_endpoint
  cluster_certificate_secret   = module.cluster_certificate.secret_name
  cluster_certificate_checksum = module.cluster_certificate.checksum
}
