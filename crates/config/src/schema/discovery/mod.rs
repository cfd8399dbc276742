//! Where targets come from: one module for each of upstream's discoveries, its keys and their rules.
//!
//! Only `static_configs` is acted on here; the others are read strictly so that a file means the same everywhere.

mod aws;
mod azure;
mod consul;
mod digitalocean;
mod dns;
mod eureka;
mod file;
mod gce;
mod hetzner;
mod http;
mod ionos;
mod kubernetes;
mod linode;
mod marathon;
mod moby;
mod nomad;
mod oci;
mod openstack;
mod outscale;
mod ovhcloud;
mod puppetdb;
mod scaleway;
mod stackit;
mod triton;
mod uyuni;
mod vultr;
mod xds;
mod zookeeper;

use super::Kind::*;
use super::static_config::TARGET_GROUP;
use super::{Schema, field};

/// The discovery keys of a job or an Alertmanager, in the order in which they print.
pub(crate) static DISCOVERIES: Schema = Schema::new(
    "discovery.Configs",
    "discovery.Configs",
    None,
    &[
        field("aws_sd_configs", List(&Optional(&Section(&aws::AWS_SD)))),
        field("azure_sd_configs", List(&Optional(&Section(&azure::SD)))),
        field("consul_sd_configs", List(&Optional(&Section(&consul::SD)))),
        field("digitalocean_sd_configs", List(&Optional(&Section(&digitalocean::SD)))),
        field("dns_sd_configs", List(&Optional(&Section(&dns::SD)))),
        field("docker_sd_configs", List(&Optional(&Section(&moby::DOCKER_SD)))),
        field("dockerswarm_sd_configs", List(&Optional(&Section(&moby::DOCKERSWARM_SD)))),
        field("ec2_sd_configs", List(&Optional(&Section(&aws::EC2_SD)))),
        field("ecs_sd_configs", List(&Optional(&Section(&aws::ECS_SD)))),
        field("elasticache_sd_configs", List(&Optional(&Section(&aws::ELASTICACHE_SD)))),
        field("eureka_sd_configs", List(&Optional(&Section(&eureka::SD)))),
        field("file_sd_configs", List(&Optional(&Section(&file::SD)))),
        field("gce_sd_configs", List(&Optional(&Section(&gce::SD)))),
        field("hetzner_sd_configs", List(&Optional(&Section(&hetzner::SD)))),
        field("http_sd_configs", List(&Optional(&Section(&http::SD)))),
        field("ionos_sd_configs", List(&Optional(&Section(&ionos::SD)))),
        field("kubernetes_sd_configs", List(&Optional(&Section(&kubernetes::SD)))),
        field("kuma_sd_configs", List(&Optional(&Section(&xds::SD)))),
        field("lightsail_sd_configs", List(&Optional(&Section(&aws::LIGHTSAIL_SD)))),
        field("linode_sd_configs", List(&Optional(&Section(&linode::SD)))),
        field("marathon_sd_configs", List(&Optional(&Section(&marathon::SD)))),
        field("msk_sd_configs", List(&Optional(&Section(&aws::MSK_SD)))),
        field("nerve_sd_configs", List(&Optional(&Section(&zookeeper::NERVE_SD)))),
        field("nomad_sd_configs", List(&Optional(&Section(&nomad::SD)))),
        field("oci_sd_configs", List(&Optional(&Section(&oci::SD)))),
        field("openstack_sd_configs", List(&Optional(&Section(&openstack::SD)))),
        field("outscale_sd_configs", List(&Optional(&Section(&outscale::SD)))),
        field("ovhcloud_sd_configs", List(&Optional(&Section(&ovhcloud::SD)))),
        field("puppetdb_sd_configs", List(&Optional(&Section(&puppetdb::SD)))),
        field("rds_sd_configs", List(&Optional(&Section(&aws::RDS_SD)))),
        field("scaleway_sd_configs", List(&Optional(&Section(&scaleway::SD)))),
        field("serverset_sd_configs", List(&Optional(&Section(&zookeeper::SERVERSET_SD)))),
        field("stackit_sd_configs", List(&Optional(&Section(&stackit::SD)))),
        field("static_configs", List(&Optional(&Section(&TARGET_GROUP)))),
        field("triton_sd_configs", List(&Optional(&Section(&triton::SD)))),
        field("uyuni_sd_configs", List(&Optional(&Section(&uyuni::SD)))),
        field("vultr_sd_configs", List(&Optional(&Section(&vultr::SD)))),
    ],
);
